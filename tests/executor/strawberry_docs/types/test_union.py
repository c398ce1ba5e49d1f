"""A union is resolved by the class of the returned object."""

from typing import Annotated, Union

import strawberry

from mainsheet.executor import Outcome
from tests.executor.strawberry_docs.api import Make


@strawberry.type
class Audio:
    duration: int


@strawberry.type
class Video:
    thumbnail_url: str


@strawberry.type
class Image:
    src: str


MediaItem = Annotated[Audio | Video | Image, strawberry.union("MediaItem")]


class Elsewhere:
    src = "from elsewhere"


@strawberry.type
class Query:
    latest_media: Union[Audio, Video]  # noqa: UP007 as the page has it
    only: Annotated[Audio, strawberry.union("OnlyAudio")] | None = None

    @strawberry.field
    def search_media(self, term: str) -> list[MediaItem]:
        return [Audio(duration=len(term)), Video(thumbnail_url=term), Image(src=term)]

    @strawberry.field
    def cast(self) -> MediaItem:
        return strawberry.cast(Image, Elsewhere())  # type: ignore[return-value]


async def test_each_member_has_its_fields(schema: Make) -> None:
    text = """{ searchMedia(term: "tea") {
        ... on Audio { duration } ... on Video { thumbnailUrl } __typename ... on Image { src }
    } }"""
    data = {
        "searchMedia": [
            {"duration": 3, "__typename": "Audio"},
            {"thumbnailUrl": "tea", "__typename": "Video"},
            {"__typename": "Image", "src": "tea"},
        ]
    }

    await schema(Query).gives(text, data, Outcome.COMPILED)


async def test_a_union_is_an_attribute(schema: Make) -> None:
    text = "{ latestMedia { ... on Video { thumbnailUrl } } only { ... on Audio { duration } } }"
    root = Query(latest_media=Video(thumbnail_url="here"), only=Audio(duration=2))

    await schema(Query).gives(
        text,
        {"latestMedia": {"thumbnailUrl": "here"}, "only": {"duration": 2}},
        Outcome.COMPILED,
        root_value=root,
    )


async def test_an_object_is_cast_to_a_member(schema: Make) -> None:
    await schema(Query).gives(
        "{ cast { __typename ... on Image { src } } }",
        {"cast": {"__typename": "Image", "src": "from elsewhere"}},
        Outcome.COMPILED,
    )
