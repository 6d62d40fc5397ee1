import { MainScreen } from '@/components/screens/main-screen';

/** `/`: the runs and one run. */
export default function Page() {
  return <MainScreen />;
}
