-- Every request looks up where its user is a member.
CREATE INDEX member_user ON member (user_id);

-- The same condition as before. The planner takes `<> ALL (an unknown list)` for something that hardly any row fulfils, expects a
-- handful of runs, and reads and sorts all runs of an organisation for one page; of what stands in a coalesce it expects half,
-- and reads the page off the end of the index.
ALTER POLICY hidden ON workflow_run
    USING (coalesce(workflow <> ALL ((SELECT hidden_workflows())::text[]), false));
