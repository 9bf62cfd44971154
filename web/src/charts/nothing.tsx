// In place of charts where there are none.
export function NothingWritten({ what }: { what: string }) {
  return (
    <div class="empty">
      <h2>No {what}</h2>
      <p>
        What a script writes for TensorBoard into its <code>tb</code> artifact is shown here.
      </p>
    </div>
  );
}
