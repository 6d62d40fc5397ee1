-- Addresses that OAuth clients registered to be called at: nothing of this instance calls them any more.
UPDATE oauth_client SET backchannel_logout_uri = NULL, jwks_uri = NULL
WHERE backchannel_logout_uri IS NOT NULL OR jwks_uri IS NOT NULL;
