// Runs before anything is drawn, so that a chosen theme does not flash the other one. `auto` needs no attribute.
try {
  const theme = localStorage.getItem('studio-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be switched off; then the system's theme is used.
}
