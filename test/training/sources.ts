/** y = Wx + b with W [1, 2], and the mean square error over 4 samples. */
export const linearSource = (settings: string, more = '') => `
model Net() {
  head = Linear(2, 1)
  input x: f32[B, 2]
  output y = head(x)
}
recipe plain for Net at B = 4 {
  input target: f32[B, 1]
  term error = mean(square(y - target), "b c ->")
  steps = 10
  ${settings}
}
${more}`;

/** A convolution of images of 64×64, by its batch. */
export const convolutionSource = (batch: number, accumulate = 1) => `
model Net {
  patch = Conv2d(3, 8, 4, stride = 4)
  input image: f32[B, 3, 64, 64]
  output y = patch(image)
}
recipe plain for Net at B = ${batch} {
  term size = mean(square(y), "b c h w ->")
  optimizer = SGD(lr = 1)
  accumulate = ${accumulate}
  steps = 1
}`;

/** A stack of residual layers of `dim` numbers, in which each layer's activations are small and many. */
export const deepSource = ({
  layers,
  rows,
  dim,
  batch,
}: Readonly<Record<'layers' | 'rows' | 'dim' | 'batch', number>>) => `
module Layer(dim: int) {
  norm = LayerNorm(dim)
  mlp = Mlp(dim, 4*dim)
  forward(x: f32[B, N, dim]) -> f32[B, N, dim] { return x + mlp(norm(x)) }
}
module Stack(dim: int) {
  layers = [Layer(dim) for i in 0..${layers}]
  forward(x: f32[B, N, dim]) -> f32[B, N, dim] {
    for layer in layers {
      x = layer(x)
    }
    return x
  }
}
model Deep() {
  stack = Stack(${dim})
  input x: f32[B, ${rows}, ${dim}]
  output y = stack(x)
}
recipe plain for Deep at B = ${batch} {
  term error = mean(square(y), "b n c ->")
  optimizer = AdamW(lr = 0.1)
  steps = 10
}`;
