import { foreignNames, foreignSetting } from './foreign.ts';
import { adjacent, isA, type Mistake } from './mistake.ts';
import {
  Colon,
  Comma,
  Dot,
  Equal,
  Group,
  Identifier,
  In,
  Interface,
  LBrace,
  LBracket,
  LParen,
  Model,
  Module,
  Param,
  Return,
  RParen,
  Slash,
  Spread,
  Star,
  Train,
  Without,
} from './tokens.ts';

/** A construct of another language, and what to write in crob instead. */
const form = (written: string, instead: string) => ({ written, instead });

/**
 * Recognises a construct of another language from the tokens where parsing stopped; undefined for any other mistake.
 */
export function foreignForm({
  first,
  last,
  found,
  next,
  expected,
  rule,
}: Mistake): ReturnType<typeof form> | undefined {
  const ends = expected === 'the end of the line';
  if (isA(first, Return) && ends && isA(found, Comma))
    return form('return a, b', 'write `return (a = x, b = y)`, with the result type `(a: f32[B], b: f32[B])`');
  if (isA(found, Spread) && expected === 'an index')
    return form(
      '[..., i]',
      'write a `:` for each axis before it: `x[:, :, i]`; axes after the last item are kept whole',
    );
  if (isA(found, Colon) && isA(last, Colon) && adjacent(last, found))
    return form('::', 'a step is an axis of a pattern: `rearrange(x, "b (n s) -> b n s", s = 2)[:, :, 0]`');
  if (isA(found, LBrace) && expected === 'an expression')
    return form('{ … }', 'values with names are a named tuple, `(a = x, b = y)`; parts are the members of a module');
  if (isA(found, Star) && expected === 'an expression' && isA(last, LParen, Comma))
    return form(`*${next.image}`, 'each argument is written out; a list is an argument as a whole');
  if (isA(found, In) && expected === '`{`')
    return form('a in xs', 'compare with each: `mode == "add" || mode == "gate"`');
  if (found.image === 'not' && isA(next, In) && expected === '`{`')
    return form('a not in xs', 'compare with each: `mode != "add" && mode != "gate"`');
  if (isA(first, Param) && ends && isA(found, Equal))
    return form('param … = …', `an initialiser follows \`~\`: \`~ ${isA(next, Identifier) ? next.image : 'zeros'}\``);
  if (isA(first, Module, Interface) && found.image === 'extends')
    return form(`${first.image} … extends ${next.image}`, foreignNames.get('super')!);
  if (isA(first, Model) && rule !== '' && isA(found, Colon) && expected === '`{`')
    return form(`model …: ${next.image}`, `a variant is written \`model X extends ${next.image} { … }\``);
  if (rule === 'parameter' && expected === '`:`' && /^[A-Z]/.test(last.image) && isA(found, RParen))
    return form(`(${last.image})`, 'a variant of a model is `model X extends Y { … }`; a module has no base');
  if (rule === 'parameter' && expected === '`:`' && isA(found, Dot))
    return form(`(${last.image}.${next.image})`, 'parameters have types, `dim: int`; a module has no base');
  if (rule === 'moduleMember' && found.image === 'self' && isA(next, Dot))
    return form('self.…', 'members of a module are declared by their names: `fc = Linear(dim, dim)`');
  if (rule === 'recipeMember') {
    const setting = foreignSetting(found.image);
    if (setting !== undefined) return form(found.image, setting);
    if (isA(found, Identifier) && isA(next, Dot))
      return form(`${found.image}.…`, `${foreignSetting('requires_grad')}; what the model is, a variant of it says`);
  }
  if (isA(first, Without) && last.image === 'term' && isA(found, Identifier))
    return form(`without term ${found.image}`, `write \`without ${found.image}\``);
  if (isA(first, Without) && isA(found, Comma) && isA(next, Identifier))
    return form(
      'without a, b',
      `each has a line of its own: \`without ${last.image}\`, then \`without ${next.image}\``,
    );
  if (isA(first, Train) && last.image === 'all') return form(`train all ${found.image}`, 'write `train all except`');
  if (isA(first, Group) && isA(found, Comma))
    return form('group a, b', 'a group has one path; give the other one a group of its own');
  if (isA(first, Group) && isA(found, LBracket, Star) && last === first)
    return form(
      `group ${found.image}`,
      'a group has one path, which begins with a name: `group backbone.* { lr = 0.1x }`',
    );
  if (rule === 'modelMember' && isA(found, Identifier) && isA(next, Slash)) return form('a /= b', 'write `a = a / b`');
  if (rule === 'modelMember' && isA(found, Return))
    return form('return', 'what a model gives is an output with a name: `output y = fc(x)`');
  if (rule === 'modelMember' && isA(next, LParen) && found.image === 'forward')
    return form('forward(…)', 'a model says `input x: f32[B, C]`, `let y = …` and `output z = …`');
  return undefined;
}
