import Link from 'next/link';
import { EmptyState } from '@/components/ui/empty-state';

/** Any address that leads nowhere. */
export default function NotFound() {
  return (
    <EmptyState title="There is nothing at this address">
      <Link href="/" className="text-accent">
        Go to the runs
      </Link>
    </EmptyState>
  );
}
