import type { Metadata } from 'next';
import { Consent } from '@/components/panels/entrance/consent';

export const metadata: Metadata = { title: 'Grant access' };

export default function Page() {
  return <Consent />;
}
