// Parts of the page that are loaded when they are first shown.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { Notice } from './components/notice';

export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  placeholder: string,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  return function Lazy(props: Props) {
    const [Part, setPart] = useState<ComponentType<Props> | null>(() => loaded);
    const [isBroken, setIsBroken] = useState(false);
    useEffect(() => {
      if (Part) return;
      load().then(
        (component) => {
          loaded = component;
          setPart(() => component);
        },
        () => setIsBroken(true),
      );
    }, [Part]);
    if (isBroken) return <Notice kind="bad" title="This part of the page could not be loaded." hint="Reload the page." />;
    return Part ? <Part {...props} /> : <div class={placeholder} aria-busy="true" />;
  };
}
