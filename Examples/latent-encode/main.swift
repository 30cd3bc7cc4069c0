import LatentCommands

runCommand(EncodeCommand.self)
