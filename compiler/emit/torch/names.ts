/** Names that Python, or the generated module itself, uses for something else. */
const reserved = new Set([
  ...'False None True and as assert async await break class continue def del elif else except finally for from global if'.split(
    ' ',
  ),
  ...'import in is lambda nonlocal not or pass raise return try while with yield self'.split(' '),
  // Built-in functions that generated code calls.
  ...'all abs enumerate float int bool str len list max min range reversed sum super tuple zip map'.split(' '),
  // Imports of generated modules.
  ...'torch nn F math partial Tensor Callable Sequence Literal NamedTuple ClassVar cast Any'.split(' '),
  // Names that are easily taken for digits.
  ...'l O I'.split(' '),
]);

/** Attributes of nn.Module and nn.Parameter owners, which a member of the same name would hide. */
const ofModules = new Set(
  (
    'T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval extra_repr ' +
    'float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules mtia named_buffers ' +
    'named_children named_modules named_parameters parameters register_backward_hook register_buffer register_forward_hook ' +
    'register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook ' +
    'register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook ' +
    'register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty train training ' +
    'type xpu zero_grad paths'
  ).split(' '),
);

/** Attributes of named tuples. */
const ofTuples = new Set(['count', 'index']);

/** The name of a variable or parameter in Python. */
export function variableName(name: string, taken: (name: string) => boolean = () => false): string {
  let found = reserved.has(name) ? `${name}_` : name;
  while (taken(found)) found = `${found}_`;
  return found;
}

/** The name of a member of a module: the source's, unless Python or nn.Module uses it. */
export function memberName(name: string): string {
  return ofModules.has(name) || isKeyword(name) ? `${name}_` : name;
}

export function tupleItemName(name: string): string {
  return ofTuples.has(name) || isKeyword(name) ? `${name}_` : name;
}

function isKeyword(name: string): boolean {
  return /^(False|None|True|and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield)$/.test(
    name,
  );
}

/** `PixelWords` → `pixel_words`, `CroBIM` → `crobim`. */
export function moduleFileName(name: string): string {
  return name.replace(/\W/g, '_').toLowerCase();
}

/** `reading` → `Reading`, `top_words` → `TopWords`. */
export function capitalised(name: string): string {
  return name
    .split('_')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
}
