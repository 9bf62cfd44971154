// A bar as long as its share.
export function Bar({ share }: { share: number }) {
  const width = Number.isFinite(share) ? Math.max(0, Math.min(1, share)) * 100 : 0;
  return (
    <span class="bar" aria-hidden="true">
      <span class="bar-fill" style={{ width: `${width}%` }} />
    </span>
  );
}
