import LatentCommands

runCommand(ReproduceCommand.self)
