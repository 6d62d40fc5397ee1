interface TeamMember {
  userId: string;
  name: string;
  email: string;
}

export interface Team {
  id: string;
  name: string;
  /** The team of a group that a directory keeps. */
  fromDirectory: boolean;
  members: TeamMember[];
}

/** Teams of organisations; every method looks at one organisation only. */
export interface TeamStore {
  teams(organizationId: string): Promise<Team[]>;
  team(organizationId: string, teamId: string): Promise<Team | null>;
  /** False when there is a team of this name. */
  create(organizationId: string, teamId: string, name: string): Promise<boolean>;
  /** False when another team has this name. */
  rename(organizationId: string, teamId: string, name: string): Promise<boolean>;
  remove(organizationId: string, teamId: string): Promise<void>;
  /** Only a member of the organisation can be in a team of it; true when they are in it now. */
  addMember(organizationId: string, teamId: string, userId: string): Promise<boolean>;
  /** False when they were not in it. */
  removeMember(organizationId: string, teamId: string, userId: string): Promise<boolean>;
}
