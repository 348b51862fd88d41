import { type ILookaheadStrategy, type IOrAlt, LLkLookaheadStrategy } from 'chevrotain';

type AlternationOptions = Parameters<ILookaheadStrategy['buildLookaheadForAlternation']>[0];
type OptionalOptions = Parameters<ILookaheadStrategy['buildLookaheadForOptional']>[0];

/**
 * The decisions of LL(1), each computed when it is first taken: `models/crobim.crob` takes 47 of 103, and computing them all is
 * nearly half of the time in which the parser starts.
 */
export class LazyLookahead extends LLkLookaheadStrategy implements ILookaheadStrategy {
  override buildLookaheadForAlternation(options: AlternationOptions) {
    const build = () => super.buildLookaheadForAlternation(options);
    let decide: ReturnType<typeof build> | undefined;
    return function (this: unknown, alternatives?: IOrAlt<unknown>[]) {
      decide ??= build();
      return decide.call(this, alternatives);
    };
  }

  override buildLookaheadForOptional(options: OptionalOptions) {
    const build = () => super.buildLookaheadForOptional(options);
    let decide: ReturnType<typeof build> | undefined;
    return function (this: unknown) {
      decide ??= build();
      return decide.call(this);
    };
  }
}
