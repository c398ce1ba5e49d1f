from mainsheet.resolvers.job_list.access_paths import JobListArguments as JobListArguments
from mainsheet.resolvers.job_list.access_paths import JobSortField as JobSortField
from mainsheet.resolvers.job_list.access_paths import of_clusters as of_clusters
from mainsheet.resolvers.job_list.access_paths import of_organizations as of_organizations
from mainsheet.resolvers.job_list.access_paths import of_teams as of_teams
