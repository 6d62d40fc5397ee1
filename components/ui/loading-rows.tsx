/** Rows that stand in for data that is on its way. */
export function LoadingRows({ label }: { label: string }) {
  return (
    <div role="status" className="flex flex-1 flex-col overflow-hidden bg-bg">
      <span className="sr-only">{label}</span>
      {[62, 48, 70, 55, 40, 66, 52].map((width) => (
        <div
          key={width}
          aria-hidden="true"
          className="flex h-row shrink-0 items-center border-b border-rule px-[1ch]"
        >
          <div className="oc-wait h-[8px] bg-raised" style={{ width: `${width}%` }} />
        </div>
      ))}
    </div>
  );
}
