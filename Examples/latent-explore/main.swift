import LatentCommands

runCommand(ExploreCommand.self)
