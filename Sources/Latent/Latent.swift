// The umbrella: `import Latent` brings every module.

@_exported import LatentAutodiff
@_exported import LatentDatasets
@_exported import LatentDistributions
@_exported import LatentEvaluation
@_exported import LatentFigures
@_exported import LatentLayers
@_exported import LatentModels
@_exported import LatentNumerics
@_exported import LatentOptimizers
@_exported import LatentStorage
@_exported import LatentTraining
