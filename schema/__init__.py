from mainsheet.schema import enums as enums  # the models' enums become GraphQL's before any type refers to them
