import LatentCommands

runCommand(StylizeCommand.self)
