import type { Metadata } from 'next';
import { Setup } from '@/components/panels/entrance/setup';

export const metadata: Metadata = { title: 'First owner' };

export default function Page() {
  return <Setup />;
}
