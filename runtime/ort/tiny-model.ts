/** y = x + x for a float32 vector, opset 17. */
export const TINY_MODEL =
  'CAg6OgoOCgF4CgF4EgF5IgNBZGQSBHRpbnlaEAoBeBILCgkIARIFCgMSAU5iEAoBeRILCgkIARIFCgMSAU5CBAoAEBE=';
