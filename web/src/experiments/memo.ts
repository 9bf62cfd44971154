import { Component, createElement, type ComponentType, type FunctionComponent } from 'preact';

// Renders again only when a property is another one.
export function memo<Props extends object>(inner: FunctionComponent<Props>): ComponentType<Props> {
  return class Memo extends Component<Props> {
    override shouldComponentUpdate(next: Readonly<Props>): boolean {
      const before = this.props as Readonly<Props>;
      return (Object.keys(next) as (keyof Props)[]).some((name) => !Object.is(next[name], before[name]));
    }

    override render() {
      return createElement(inner, this.props as Props);
    }
  };
}
