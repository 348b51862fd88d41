/** y = x + x for a float32 vector, opset 17. */
export const TINY_MODEL =
  'CAg6OgoOCgF4CgF4EgF5IgNBZGQSBHRpbnlaEAoBeBILCgkIARIFCgMSAU5iEAoBeRILCgkIARIFCgMSAU5CBAoAEBE=';

/**
 * y = x convolved with x, for a float32 tensor `CONVOLUTION_SHAPE`, opset 17: on CUDA, it needs cuDNN. The sizes are
 * ordinary ones, for which every version has an algorithm.
 */
export const CONVOLUTION_MODEL =
  'CAg6UQoPCgF4CgF4EgF5IgRDb252EgRjb252WhsKAXgSFgoUCAESEAoCCAgKAggICgIIAwoCCANiGwoBeRIWChQIARIQCgIICAoCCAgKAggBCgIIAUIECgAQEQ==';
export const CONVOLUTION_SHAPE = [8, 8, 3, 3] as const;
