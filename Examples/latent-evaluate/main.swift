import LatentCommands

runCommand(EvaluateCommand.self)
