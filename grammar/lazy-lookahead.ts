import { type ILookaheadStrategy, type IOrAlt, LLkLookaheadStrategy } from 'chevrotain';

type AlternationOptions = Parameters<ILookaheadStrategy['buildLookaheadForAlternation']>[0];
type OptionalOptions = Parameters<ILookaheadStrategy['buildLookaheadForOptional']>[0];

/**
 * LL(1) decisions, each computed on first use: `models/crobim.crob` uses 47 of 103, and computing all of them takes
 * almost half of the parser's startup time.
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
