// Light or dark, or what the system says. public/assets/theme.js applies what is remembered here before the first frame.
import { Store } from './store';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'studio-theme';

function remembered(): Theme {
  const theme = document.documentElement.dataset.theme;
  return theme === 'light' || theme === 'dark' ? theme : 'auto';
}

export const theme = new Store<Theme>(remembered());

// Changes whenever the colours on the page do: what is drawn on a canvas must be drawn again.
export const colours = new Store(0);

export function chooseTheme(choice: Theme): void {
  const root = document.documentElement;
  if (choice === 'auto') delete root.dataset.theme;
  else root.dataset.theme = choice;
  try {
    if (choice === 'auto') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, choice);
  } catch {
    // Not remembered where storage is switched off.
  }
  theme.set(choice);
  colours.set(colours.value + 1);
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => colours.set(colours.value + 1));

// A token of style/tokens.css as it is now.
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
