/** What the shipped models have none of: lists of lists, parts that are none, parts that are shared, a part behind a slot. */
export const corners = `
interface Norm(dim: int) { forward(x: f32[B, N, dim]) -> f32[B, N, dim] }
module Centre(dim: int, shift: float = 0.5): Norm {
  param bias: f32[dim] ~ zeros
  forward(x: f32[B, N, dim]) -> f32[B, N, dim] { return x - mean(x, "b n d -> b n 1") + shift * bias }
}
module Scale(dim: int, by: float = 2.0): Norm {
  param factor: f32[dim] ~ ones
  forward(x: f32[B, N, dim]) -> f32[B, N, dim] { return by * x * factor }
}
module Block(dim: int, hidden: int = 4 * dim, norm: Norm = Centre()) {
  static wide = 2 * hidden
  before = norm(dim = dim)
  mlp = Mlp(dim, hidden)
  after = none
  forward(x: f32[B, N, dim]) -> f32[B, N, dim] { return if after != none { after(mlp(before(x))) } else { mlp(before(x)) } }
}
module Grid(dim: int, rows: int = 2, columns: list[int] = [1, 2]) {
  cell = [[Block(dim, hidden = 2 * dim) for j in 0..columns[i]] for i in 0..rows]
  forward(x: f32[B, N, dim]) -> f32[B, N, dim] {
    for row in cell { for one in row { x = x + one(x) } }
    return x
  }
}
module Pair(dim: int, first: Block = Block(), scale: int = 1) {
  second = first
  third = Linear(dim, scale * dim)
  forward(x: f32[B, N, dim]) -> f32[B, N, scale * dim] { return third(second(first(x))) }
}
model Corners(
  dim: int = 8,
  depth: int = 2,
) {
  block = Block(dim)
  grid = Grid(dim)
  pair = Pair(dim, first = Block(dim, hidden = 12))
  shared = Pair(dim, first = block)
  blocks = [Block(dim, hidden = dim + i) for i in 0..depth]
  none_yet = none
  input x: f32[B, N, dim]
  let y = grid(block(x))
  let z = if none_yet != none { none_yet(y) } else { y }
  let deep = blocks[1](blocks[0](z))
  output out = pair(deep)
  output other = shared(deep)
}
`;
