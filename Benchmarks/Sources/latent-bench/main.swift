// latent-bench: the library's side of the comparison with its peers.

LatentBench.main()
