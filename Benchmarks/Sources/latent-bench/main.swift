// latent-bench: how fast the library is, beside its peers, beside the machine, beside itself.

import LatentCommands

runCommand(LatentBench.self)
