from mainsheet.models.actor import Actor, ActorKind


class ServiceAccount(Actor):
    """A program in one organization."""

    PREFIX = "SA"
    NOUN = "service account"

    __mapper_args__ = {"polymorphic_identity": ActorKind.SERVICE_ACCOUNT}  # noqa: RUF012 as SQLAlchemy declares it
