import type { MessageRow } from '../message-row.ts';

/** What the text of a file can get wrong. The parser and the lexer name these codes. */
export const syntaxMessages = {
  CROB1001: {
    severity: 'error',
    title: 'Unexpected token',
    template: 'found {found}, expected {expected}',
    explanation: `The text does not fit the grammar at this place, and no likelier mistake was recognised.

The message shows what was found and what the grammar allows there. If the place itself looks right, look at the end of the
line before: an operator, comma or bracket may be missing.`,
    example: 'module Scale(factor: float) {\n  forward(x: f32[B]) -> f32[B] { return x * }\n}\n',
  },
  CROB1002: {
    severity: 'error',
    title: 'Unknown character',
    template: '`{found}` is not a character of crob',
    help: 'outside of strings and comments, crob is written in ASCII',
    explanation: `Names are written with the letters A to Z, digits and \`_\`. Typographic quotes, dashes, non-breaking spaces and mathematical signs often come from copying out of a paper or a web page: type
them again.`,
    example: 'fn double(x: f32[B]) -> f32[B] = x × 2\n',
  },
  CROB1003: {
    severity: 'error',
    title: 'Unterminated string',
    template: 'this string is never closed',
    help: 'close it with `"`; a string ends on the line it starts on',
    explanation:
      'A string starts and ends with `"` on one line. Inside, `\\"` is a quote, `\\n` a newline, `\\t` a tab, `\\\\` a backslash.',
    example: 'fn flat(x: f32[B, C]) -> f32[B*C] = rearrange(x, "b c -> (b c))\n',
  },
  CROB1004: {
    severity: 'error',
    title: 'String in single quotes',
    template: 'strings are written in double quotes',
    help: 'write `"{text}"`',
    explanation: 'There is one kind of string: `"…"`.',
    example: "fn pool(x: f32[B, C]) -> f32[B] = mean(x, 'b c -> b')\n",
  },
  CROB1005: {
    severity: 'error',
    title: 'Malformed number',
    template: '`{found}` is not a number',
    help: 'write `{repaired}`',
    explanation: `Ints are \`12\`; floats have digits on both sides of the dot, \`1.0\` and \`0.5\`, or an exponent, \`1e-5\`. There are
no separators, no other bases and no suffixes, except that a recipe's \`0.1x\` is a factor.`,
    example: 'module Half() {\n  forward(x: f32[B]) -> f32[B] { return x * .5 }\n}\n',
  },
  CROB1006: {
    severity: 'error',
    title: 'Index written as a name',
    template: 'an instance of a module list is selected with brackets',
    help: 'write `[{index}]`',
    explanation: `Checkpoints call the third entry of a list \`layers.2\`; in crob it is \`layers[2]\`, and \`layers[*]\` is every entry.`,
    example:
      'model Base() {\n  layers = [Mlp(8, 16), Mlp(8, 32)]\n  input x: f32[B, 8]\n  output y = layers[1](layers[0](x))\n}\nmodel Small extends Base { layers.1.hidden = 64 }\n',
  },
  CROB1007: {
    severity: 'error',
    title: 'Unclosed bracket',
    template: '`{open}` is never closed',
    help: 'write `{close}` before {before}',
    explanation: `Inside \`( )\` and \`[ ]\`, expressions continue over line ends, so a bracket that is never closed would include everything after it. The
second place shows where the parser stopped looking for the closing bracket.`,
    example: 'module Mlp(dim: int) {\n  fc1 = Linear(dim, 4 * dim\n  fc2 = Linear(4 * dim, dim)\n}\n',
  },
  CROB1008: {
    severity: 'error',
    title: 'Missing closing brace',
    template: '`{open}` is never closed',
    help: 'write `{close}` before {before}',
    explanation: `A body that starts with \`{\` ends with \`}\`. A declaration that starts in the first column, or the end of the file, shows
that one is missing; the indentation decides which opening brace is named.`,
    example:
      'module Twice() {\n  forward(x: f32[B]) -> f32[B] {\n    return x + x\n}\nmodule Same() {\n  forward(x: f32[B]) -> f32[B] { return x }\n}\n',
  },
  CROB1009: {
    severity: 'error',
    title: 'Closing bracket without an opening one',
    template: '`{found}` closes nothing',
    help: 'remove it, or write the bracket that it should close',
    explanation: 'Every `)`, `]` and `}` needs an opening bracket before it.',
    example: 'fn twice(x: f32[B]) -> f32[B] = (x + x))\n',
  },
  CROB1010: {
    severity: 'error',
    title: 'Comment with `#`',
    template: 'comments start with `//`',
    help: 'write `// {text}`',
    explanation: '`//` starts a comment that runs to the end of the line; `///` documents the declaration below it.',
    example: '# twice as much\nfn twice(x: f32[B]) -> f32[B] = x + x\n',
  },
  CROB1011: {
    severity: 'error',
    title: 'Block comment',
    template: 'there are no block comments',
    help: 'start each line with `//`',
    explanation: '`//` starts a comment that runs to the end of the line; there is no `/* … */`.',
    example: '/* twice as much */\nfn twice(x: f32[B]) -> f32[B] = x + x\n',
  },
  CROB1012: {
    severity: 'error',
    title: 'Wrong closing bracket',
    template: '`{found}` does not close `{open}`',
    help: 'write `{close}`',
    explanation: 'Brackets close in the order they were opened, each with its own kind.',
    example: 'fn twice(x: f32[B]) -> f32[B] = max(x, x]\n',
  },
  CROB1013: {
    severity: 'error',
    title: 'Operator of another language',
    template: 'crob has no `{found}`',
    help: 'write `{counterpart}`',
    explanation: `The operators are \`+ - * / % ^\`, \`== != < <= > >=\`, \`&& || !\`, and \`as\`. Power is \`^\`, the result type of a method follows \`->\`, and names are bound with \`=\`.`,
    example: 'fn square_of(n: int) = n ** 2\n',
  },
  CROB1014: {
    severity: 'error',
    title: 'Missing comma',
    template: 'a comma is missing between `{after}` and `{before}`',
    explanation: 'Arguments, parameters, list items and dims are separated by commas; a trailing comma is allowed.',
    example: 'module Mlp(dim: int) {\n  fc1 = Linear(dim 4 * dim)\n}\n',
  },
  CROB1015: {
    severity: 'error',
    title: 'Slice with a colon',
    template: 'ranges are written with `..`',
    help: 'write `a..b`, `a..` or `..b`; a `:` alone is the whole axis',
    explanation:
      '`x[:, 0..H]` takes the whole first axis and the first H entries of the second. The stop is exclusive; there are no negative indices.',
    example: 'fn head(x: f32[B, C]) -> f32[B, 2] = x[:, 0:2]\n',
  },
  CROB1016: {
    severity: 'error',
    title: 'Number too large',
    template: '`{found}` is too large for an int',
    help: 'ints go up to 2^53 - 1; write a float if you mean one',
    explanation: 'Static ints and dims are exact up to 9007199254740991.',
    example: 'fn big() = 9007199254740993\n',
  },
  CROB1017: {
    severity: 'error',
    title: 'Constant of another language',
    template: '`{found}` is written `{meant}`',
    explanation: 'The constants are `true`, `false` and `none`. Capitalised names are dims and modules.',
    example: 'fn plain() = True\n',
  },
  CROB1018: {
    severity: 'error',
    title: 'Tuple with some names',
    template: '`{name}` is named, but other entries are not',
    help: 'name all entries, or none',
    explanation:
      '`(value = x, index = i)` is a result with names; `(0, 1)` is a pair, as for `pad`. The two forms cannot be mixed.',
    example: 'fn pair(x: f32[B]) -> (a: f32[B], b: f32[B]) = (a = x, x)\n',
  },
  CROB1019: {
    severity: 'error',
    title: 'Line starts with an operator',
    template: 'a line cannot start with `{found}`',
    help: 'put it at the end of the line before: a line continues after an operator',
    explanation: `A statement ends at the end of its line, except inside brackets or after an operator. Break a long sum after a \`+\`, or put it in
parentheses.`,
    example: 'fn sum3(x: f32[B]) -> f32[B] {\n  let y = x\n    + x\n  return y\n}\n',
  },
  CROB1020: {
    severity: 'error',
    title: 'Unknown escape in a string',
    template: '`{found}` is not an escape',
    help: 'a backslash itself is written `\\\\`',
    explanation: 'The escapes are `\\n`, `\\t`, `\\"`, `\\\'` and `\\\\`.',
    example: 'fn pool(x: f32[B, C]) -> f32[B] = mean(x, "b c \\d")\n',
  },
  CROB1021: {
    severity: 'error',
    title: 'Chained comparison',
    template: 'comparisons do not chain: `{first}` and `{second}` need two',
    help: 'write `a {first} b && b {second} c`, or two clauses with a comma in `where`',
    explanation:
      'A comparison yields a bool, which cannot be compared again. `0 <= shift, shift < window` are two clauses.',
    example: 'module Shift(shift: int) where 0 <= shift < 4 {\n  forward(x: f32[B]) -> f32[B] { return x }\n}\n',
  },
  CROB1022: {
    severity: 'error',
    title: '`if` without `else` as a value',
    template: 'an `if` that is a value needs an `else`',
    help: 'write `if … { … } else { … }`; `none` is the absent value',
    explanation:
      'Both branches must give a value. An `if` that only rebinds names is a statement on its own line, and an optional part is written `norm = LayerNorm(dim) if residual`.',
    example: 'fn maybe(n: int) = 1 + if n > 2 { n }\n',
  },
  CROB1023: {
    severity: 'error',
    title: '`=` in a condition',
    template: '`=` binds a name; to compare, write `==`',
    explanation: 'Conditions and `where` clauses compare with `==`; `=` gives a name its value.',
    example: 'module Even(dim: int) where dim % 2 = 0 {\n  forward(x: f32[dim]) -> f32[dim] { return x }\n}\n',
  },
  CROB1024: {
    severity: 'error',
    title: 'Unused value',
    template: 'the value of this expression goes nowhere',
    help: 'bind it with `let`, write `return` before it, or make it the last line of its block',
    explanation: `Expressions in crob have no side effects, so an expression on a line of its own does nothing, except as the last line of a block that is
used as a value. Both branches of an \`if\` must end in a value for the \`if\` to have one.`,
    example: 'fn twice(x: f32[B]) -> f32[B] {\n  x + x\n  return x\n}\n',
  },
  CROB1025: {
    severity: 'error',
    title: '`==` in place of `=`',
    template: '`==` compares; to give `{name}` a value, write `=`',
    explanation: '`let x = e` binds a name and `x = e` rebinds it; `==` compares two values.',
    example: 'fn twice(x: f32[B]) -> f32[B] {\n  let y == x + x\n  return y\n}\n',
  },
  CROB1026: {
    severity: 'error',
    title: 'Cannot assign to this',
    template: 'only {target} can stand on this side',
    explanation:
      '`x = e` rebinds a name, `v[i] = e` replaces an item of a list, and `running_mean <- e` updates a buffer of the module.',
    example: 'fn twice(x: f32[B]) -> f32[B] {\n  x + x = x\n  return x\n}\n',
  },
  CROB1027: {
    severity: 'error',
    title: 'Attribute out of place',
    template: '`@{name}` cannot stand here',
    help: 'attributes belong to declarations, weights, buffers and submodules',
    explanation: '`@path("…")`, `@no_decay` and `@f32` are attributes of weights and of parts that have weights.',
    example: 'model Tiny() {\n  @no_decay input x: f32[B]\n  output y: f32[B] = x\n}\n',
  },
  CROB1028: {
    severity: 'error',
    title: '`use` below a declaration',
    template: '`use` stands at the top of a file',
    help: 'move it above the first declaration',
    explanation: 'The imports of a file come before its declarations.',
    example: 'fn one() = 1\nuse std.linear.{Linear}\n',
  },
  CROB1029: {
    severity: 'error',
    title: 'Weight that is not a tensor',
    template: 'a weight or buffer has a tensor type such as `f32[out, in]`',
    help: '`f32[]` is a single number; static values are parameters or `static` members',
    explanation: '`param` declares a trained weight and `buffer` an untrained one: both are tensors.',
    example:
      'module Scale() {\n  param factor: float ~ ones\n  forward(x: f32[B]) -> f32[B] { return x * factor }\n}\n',
  },
  CROB1030: {
    severity: 'error',
    title: 'Nested too deeply',
    template: 'this is nested too deeply to be read',
    help: 'give inner parts names with `let`',
    explanation: 'Brackets nest up to 100 deep. Reading stops here; what follows is not checked.',
    example: `fn deep() = ${'('.repeat(101)}1${')'.repeat(101)}\n`,
  },
  CROB1031: {
    severity: 'error',
    title: 'Reserved word as a name',
    template: '`{word}` is a word of the language and cannot be a name',
    help: 'choose another name, such as `{word}_`',
    explanation: `The reserved words are \`module fn interface let return if else for in as where then true false none\`. All other words, such as
\`input\`, \`group\` or \`at\`, are keywords only where they are asked for and can be names.`,
    example: 'fn twice(x: f32[B]) -> f32[B] {\n  let in = x + x\n  return x\n}\n',
  },
  CROB1032: {
    severity: 'error',
    title: 'Keyword of another language',
    template: 'crob has no `{word}`',
    help: '{instead}',
    explanation: 'The message says how it is written in crob.',
    example: 'module Twice() {\n  def forward(x: f32[B]) -> f32[B] { return x + x }\n}\n',
  },
  CROB1033: {
    severity: 'error',
    title: 'Block with a colon',
    template: 'blocks are written in braces, not after `:`',
    help: 'write `{ … }`',
    explanation: 'Indentation has no meaning; a body is in `{ }`. `:` is followed by a type.',
    example: 'fn pick(n: int) {\n  if n > 2: 1\n}\n',
  },
  CROB1034: {
    severity: 'error',
    title: 'Declaration inside a declaration',
    template: 'a `{word}` cannot be declared inside another declaration',
    help: 'move it to the top level of the file; if it is there, a `}` is missing above',
    explanation: 'Modules, functions and interfaces are declared at the top level; a module uses others as its fields.',
    example: 'module Outer() {\n  fn twice(n: int) = 2 * n\n}\n',
  },
  CROB1035: {
    severity: 'error',
    title: 'Positional argument after a named one',
    template: 'an argument without a name comes after `{name}`',
    help: 'put it first, or name it',
    explanation: 'Arguments without a name are positional and come first.',
    example: 'module Block(dim: int) {\n  attn = Attention(heads = 8, dim)\n}\n',
  },
  CROB1036: {
    severity: 'error',
    title: 'Statement among members',
    template: '`{word}` cannot stand among the members of a module',
    help: 'fields are written `name = …`, static values `static name = …`; statements belong in a method',
    explanation: `The body of a module consists of declarations: weights, buffers, static members, submodules and methods. Lists of submodules are
comprehensions: \`layers = [Block(dim) for i in 0..depth]\`.`,
    example: 'module Two(dim: int) {\n  let fc = Linear(dim, dim)\n}\n',
  },
  CROB1037: {
    severity: 'error',
    title: 'Parameter without a type',
    template: 'parameter `{name}` needs a type',
    help: 'write `{name}: int`, `{name}: f32[B, C]` or the like',
    explanation:
      'Signatures state every type, so that a body is checked once and callers depend only on the signature.',
    example: 'fn twice(x) = x + x\n',
  },
  CROB1038: {
    severity: 'error',
    title: '`let` with a type',
    template: '`let {name}` has no type: it follows from the value',
    help: 'to state dims and have them checked, write `let {name} = … as f32[…]`',
    explanation:
      'Signatures have types; inside a body, types are inferred. `x as f32[B, N, C]` states a shape, which is then proved.',
    example: 'fn twice(x: f32[B]) -> f32[B] {\n  let y: f32[B] = x + x\n  return y\n}\n',
  },
  CROB1039: {
    severity: 'error',
    title: '`:` in place of `=`',
    template: 'values are given with `=`; `:` is for types',
    explanation: 'Settings and named arguments are written `lr = 0.1`; `name: type` declares.',
    example: 'model Tiny() {\n  input x: f32[B]\n  output y = x\n}\nrecipe fast for Tiny at B = 2 {\n  epochs: 40\n}\n',
  },
  CROB1040: {
    severity: 'error',
    title: 'Condition after its value',
    template: 'the condition comes first',
    help: 'write `if condition { a } else { b }`',
    explanation:
      "Python's `a if c else b` is `if c { a } else { b }`. Without an `else`, `name = a if c` is a part that is `none` if `c` is false.",
    example: 'fn pick(n: int) {\n  let m = 1 if n > 2 else 0\n  m\n}\n',
  },
  CROB1041: {
    severity: 'error',
    title: 'Missing body',
    template: '{what} has no body',
    help: 'write `{ … }` after the header',
    explanation: 'A header is followed by a body in braces, which may be empty: `{ }`.',
    example: 'module Empty(dim: int)\n',
  },
  CROB1042: {
    severity: 'error',
    title: 'Method without `method`',
    template: 'a method other than `forward` is declared with `method`',
    help: 'write `method {name}(…)`',
    explanation: 'A call of an instance calls its `forward`; all other methods are declared `method name(…)`.',
    example: 'module Two() {\n  encode(x: f32[B]) -> f32[B] { return x }\n}\n',
  },
  CROB1043: {
    severity: 'error',
    title: 'Member with a type but no kind',
    template: '`{name}` has a type, but nothing says what it is',
    help: 'write `param {name}: f32[…]` for a weight, `buffer {name}: f32[…] = …`, or `static {name}: int = …`',
    explanation:
      'Fields, which contain submodules, have no written type: `name = Linear(3, 4)`. Weights, buffers and static members start with a keyword.',
    example: 'module Scale(dim: int) {\n  weight: f32[dim] = ones\n}\n',
  },
  CROB1044: {
    severity: 'error',
    title: 'Text outside of any declaration',
    template: '`{found}` stands outside of any declaration',
    help: 'a file consists of `use`, `module`, `fn`, `interface`, `type`, `model`, `recipe`, `weights` and `example`; look for an extra `}` above',
    explanation:
      'Members and statements are inside declarations. If this one should be, a `}` above it closes the declaration too early.',
    example: 'let rate = 0.1\n',
  },
  CROB1045: {
    severity: 'error',
    title: 'Range as a value',
    template: 'a range can only be used after `in` and inside an index',
    help: 'write `[i for i in a..b]` for the list',
    explanation: '`for i in 0..4` loops and `x[0..4]` slices; a range is not a value by itself.',
    example: 'fn list_of() = 0..4\n',
  },
  CROB1046: {
    severity: 'error',
    title: 'Two statements on a line',
    template: 'the statement ends before `{found}`',
    help: 'put a newline or `;` between two statements; inside an expression, an operator is missing',
    explanation: 'A statement ends at the end of its line or at `;`.',
    example: 'fn twice(x: f32[B]) -> f32[B] {\n  let y = x + x return y\n}\n',
  },
  CROB1047: {
    severity: 'error',
    title: 'Text that is not UTF-8',
    template: 'this is not UTF-8 text',
    help: 'save the file as UTF-8',
    explanation: `Sources must be UTF-8. Bytes that are not are shown as \uFFFD: the file is in another encoding, such as Latin-1 or UTF-16, or it is damaged. Only
the first place is shown. \`crobc fmt\` does not change such a file, because the meaning of these bytes is unknown.`,
    example: '/// A caf\uFFFD in every function.\nfn one() = 1\n',
  },
  CROB1048: {
    severity: 'error',
    title: 'Misspelt keyword',
    template: 'there is no word `{found}`',
    help: 'did you mean {meant}?',
    explanation: `Two names next to each other are never valid in crob: one of them should be a keyword, and this one resembles a keyword. The rest is checked
as if it were spelt correctly.`,
    example: 'model Twice {\n  input x: f32[B]\n  outptu y = x + x\n}\n',
  },
  CROB1049: {
    severity: 'error',
    title: 'Factor outside of a setting',
    template: '`{found}` is a factor, and there is nothing here that it scales',
    help: 'write `{number}`',
    explanation: `In the settings of a recipe and of its groups, \`lr = 0.1x\` is a tenth of the inherited value. Everywhere else, write a plain
number: the weight of a loss is written \`0.4 * dice(…)\`, and the rate of an optimizer \`AdamW(lr = 1e-4)\`.`,
    example: 'fn loss(x: f32[], y: f32[]) -> f32[] = x + 0.4x * y\n',
  },
  CROB1050: {
    severity: 'error',
    title: '`let` of several names without parentheses',
    template: 'several names are given in parentheses',
    help: 'write `let ({names}) = …`',
    explanation: `\`let (a, b) = e\` takes the items \`a\` and \`b\` of a named tuple, \`let (a = x, b) = e\` calls the first one \`x\`, and of a list
the names are its items in order.`,
    example:
      'fn both(x: f32[B]) -> (a: f32[B], b: f32[B]) = (a = x, b = x)\nfn sum(x: f32[B]) -> f32[B] {\n  let a, b = both(x)\n  return a + b\n}\n',
  },
  CROB1051: {
    severity: 'error',
    title: 'Integer division',
    template: '`//` starts a comment; it does not divide',
    help: 'write `a / b` where the division is exact, or `floor(a / b)`; if this is a comment, put a word in it',
    explanation: `The rest of a line after \`//\` is a comment, so \`dim // 4\` would mean \`dim\`. A comment that consists only of a number, after a value, is
therefore treated as a mistake.`,
    example: 'fn quarter(n: int) {\n  let m = n // 4\n  m\n}\n',
  },
  CROB1052: {
    severity: 'error',
    title: 'Form of another language',
    template: '`{written}` is not how it is written in crob',
    help: '{instead}',
    explanation: 'The message says how it is written in crob.',
    example:
      'model Base(dim: int = 8) {\n  fc = Linear(8, dim)\n  input x: f32[B, 8]\n  output y = fc(x)\n}\nmodel Double extends Base {\n  dim *= 2\n}\n',
  },
} as const satisfies Record<string, MessageRow>;
