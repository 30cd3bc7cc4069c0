import LatentCommands

runCommand(SearchCommand.self)
