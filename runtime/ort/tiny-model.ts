/** y = x + x for a float32 vector, opset 17. */
export const TINY_MODEL =
  'CAg6OgoOCgF4CgF4EgF5IgNBZGQSBHRpbnlaEAoBeBILCgkIARIFCgMSAU5iEAoBeRILCgkIARIFCgMSAU5CBAoAEBE=';

/** y = x convolved with x, for a float32 tensor [1, 1, 1, 1], opset 17: on CUDA, it needs cuDNN. */
export const CONVOLUTION_MODEL =
  'CAg6UQoPCgF4CgF4EgF5IgRDb252EgRjb252WhsKAXgSFgoUCAESEAoCCAEKAggBCgIIAQoCCAFiGwoBeRIWChQIARIQCgIIAQoCCAEKAggBCgIIAUIECgAQEQ==';
