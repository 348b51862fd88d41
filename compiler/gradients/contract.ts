import type { ContractName } from '../ir/names.ts';
import { conv2dDwGradient, conv2dDxGradient, conv2dGradient } from './convolution.ts';
import { matmulGradient } from './matmul.ts';
import type { GradientRow } from './rule.ts';

/** Gradients of matrix products and convolutions. */
export const contractGradients: { readonly [O in ContractName]: GradientRow<O> } = {
  matmul: { gradient: matmulGradient },
  conv2d: { gradient: conv2dGradient },
  conv2d_dx: { gradient: conv2dDxGradient },
  conv2d_dw: { gradient: conv2dDwGradient },
};
