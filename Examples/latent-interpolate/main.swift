import LatentCommands

runCommand(InterpolateCommand.self)
