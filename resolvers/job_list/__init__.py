from mainsheet.resolvers.job_list.access_paths import JobListArguments as JobListArguments
from mainsheet.resolvers.job_list.access_paths import JobSortField as JobSortField
from mainsheet.resolvers.job_list.access_paths import counts_of_clusters as counts_of_clusters
from mainsheet.resolvers.job_list.access_paths import of_clusters as of_clusters
from mainsheet.resolvers.job_list.access_paths import of_creators as of_creators
from mainsheet.resolvers.job_list.access_paths import of_organizations as of_organizations
from mainsheet.resolvers.job_list.access_paths import of_teams as of_teams
from mainsheet.resolvers.job_list.saved_queries import of_saved_queries as of_saved_queries
