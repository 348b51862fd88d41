/**
 * The cases that are compared with PyTorch: crobc's model, and the model of the same name in reference.py. Both get the
 * same weights and inputs (inputs.mjs).
 */
export const cases = {
  'swin-b': { file: 'bench/models/backbones.crob', model: 'SwinBMaps', sizes: { H: 480, W: 480 } },
  'convnext-b': { file: 'bench/models/backbones.crob', model: 'ConvNeXtBMaps', sizes: { H: 480, W: 480 } },
  'bert-base': { file: 'bench/models/backbones.crob', model: 'BertWords', sizes: { T: 20 } },
  crobim: { file: 'models/crobim.crob', model: 'CroBIM', sizes: { H: 480, W: 480, T: 20 } },
  'crobim-micro': { file: 'models/crobim.crob', model: 'CroBIM_micro', sizes: { H: 128, W: 128, T: 20 } },
};

/**
 * The models that are trained: each recipe's model with dropout and drop path rates of 0, so that losses can be
 * compared. reference.py has models of the same names.
 */
export const trained = {
  'crobim-micro': {
    file: 'models/crobim.crob',
    model: 'CroBIM_micro',
    recipe: 'micro',
    dims: { B: 8, H: 128, W: 128, T: 20 },
    overrides: [],
  },
  'crobim-swin-t': {
    file: 'models/sizes.crob',
    model: 'CroBIM_SwinT',
    recipe: 'swint',
    dims: { B: 4, H: 224, W: 224, T: 20 },
    overrides: ['backbone.drop_path = 0.0', 'text.dropout = 0.0'],
  },
  crobim: { file: 'models/crobim.crob', model: 'CroBIM', recipe: 'paper' },
};
