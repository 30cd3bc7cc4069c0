import LatentCommands

runCommand(TrainCommand.self)
