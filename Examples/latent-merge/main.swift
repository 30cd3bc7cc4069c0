import LatentCommands

runCommand(MergeCommand.self)
