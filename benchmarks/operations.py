"""What is measured: the reads that frontends send most."""

POINT = """
query Point($key: String!) {
  jobByKey(jobKey: $key) {
    id jobKey description status createdAt updatedAt
    currentVersion { id number status schedule { cron timezone } publishedAt cluster { id name status } }
  }
}
"""

DASHBOARD = """
query Dashboard($limit: Int!) {
  me {
    actor { id displayName }
    jobs(limit: $limit) {
      totalCount
      nodes {
        id jobKey description status createdAt updatedAt
        teams { nodes { id name } }
        currentVersion { number schedule { cron timezone } publishedAt cluster { id name status } }
        latestRun { id status createdAt }
      }
    }
  }
}
"""

NESTED = """
query Nested($jobs: Int!, $versions: Int!) {
  teams(limit: 10) {
    nodes {
      id name
      jobs(limit: $jobs) {
        nodes { id jobKey status versions(limit: $versions) { nodes { id number status cluster { name } } } }
      }
    }
  }
}
"""

LIMITS = {"limit": 100}
DEPTHS = {"jobs": 20, "versions": 5}
