import LatentCommands

runCommand(QuantizeCommand.self)
