import LatentCommands

runCommand(MapCommand.self)
