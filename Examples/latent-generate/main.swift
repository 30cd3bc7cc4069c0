import LatentCommands

runCommand(GenerateCommand.self)
