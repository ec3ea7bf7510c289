"""The test page's runs: scenarios against a sandbox, or against the live queue, with a verdict."""
