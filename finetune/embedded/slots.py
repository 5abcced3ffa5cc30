"""What the fields of the real utterances are called: other names, and words that describe them.

A model that has only seen `party_size_number` has learnt a label; one that was asked for the same thing under ten
names has learnt what it means. Names are written in lower case with spaces; `utterances` puts them in a style.
"""

from __future__ import annotations

NAMES: dict[str, str] = {
    "adults": "adults; number of adults; adult guests; grown ups; adult count",
    "album": "album; album title; record; album name",
    "amount_of_money": "amount of money; amount; sum; money; how much; transaction amount; value",
    "artist": "artist; performer; musician; singer or band; artist name; by whom; band",
    "best_rating": "best rating; maximum; max rating; out of; scale; highest possible; best possible score",
    "city": "city; town; city name; place; municipality",
    "company_name": "company name; company; merchant; business; shop; payee company; organisation",
    "condition_description": "condition description; weather condition; condition; weather; sky; kind of weather",
    "condition_temperature": "condition temperature; temperature; warm or cold; how warm; temperature word",
    "country": "country; country name; nation; land",
    "cuisine": "cuisine; kind of food; food style; cooking style; food type; kitchen",
    "current_location": "current location; my location; here; user location; where the user is",
    "date": "date; day; on which day; booking date; when; date mentioned; reservation date",
    "date_from": "date from; start date; from date; first day; check in; arrival; begins on; arrival date",
    "date_period": "date period; period; duration in days; length of stay; how long; time span",
    "date_to": "date to; end date; until; last day; check out; departure; to date; departure date",
    "entity_name": "entity name; title; song or album title; item name; piece; name of the music",
    "facility": "facility; amenity; feature; equipment; facilities",
    "first_name": "first name; given name; forename; guest first name",
    "genre": "genre; music genre; style of music; kind of music; style",
    "geographic_poi": "geographic poi; park; landmark; nature reserve; point of interest; protected area",
    "kids": "kids; children; number of children; child guests; kid count",
    "last_name": "last name; surname; family name; guest last name",
    "location_name": "location name; cinema chain; theatre name; cinema; venue; movie theater; location",
    "movie_name": "movie name; film; movie; film title; movie title; title",
    "movie_type": "movie type; film type; kind of movie; kind of film",
    "music_item": "music item; kind of item; item type; what to add; type of music item; song or album",
    "number": "number; count; how many; figure",
    "object_location_type": "object location type; kind of venue; venue type; place type; type of theatre",
    "object_name": "object name; title; name; work; name of the work; work title; name of the object",
    "object_part_of_series_type": "object part of series type; series type; kind of series; part of",
    "object_select": "object select; which one; selection; pointer; reference word; which",
    "object_type": "object type; kind of work; type; work type; medium; format; kind; item type",
    "party_size_description": "party size description; who comes; guests; company; people in the party; for whom",
    "party_size_number": "party size number; party size; number of guests; seats; guest count; number of people",
    "people": "people; number of people; party size; guests; persons; group size; number of guests; covers",
    "person_name": "person name; name; full name; customer; recipient; who; guest name",
    "playlist": "playlist; playlist name; list name; name of the playlist; target playlist; music list",
    "playlist_owner": "playlist owner; owner; whose playlist; belongs to; owner of the playlist",
    "poi": "poi; point of interest; near what; landmark; neighbourhood; location",
    "rating_unit": "rating unit; unit; stars or points; unit of rating; scale unit",
    "rating_value": "rating value; rating; score; stars given; points; number of stars; mark",
    "restaurant_name": "restaurant name; restaurant; name of the restaurant; name of the place; eatery name",
    "restaurant_type": "restaurant type; kind of restaurant; type of place; venue type; establishment type",
    "rooms": "rooms; number of rooms; room count; how many rooms",
    "served_dish": "served dish; dish; meal; food; specialty; serves",
    "service": "service; streaming service; app; music service; platform; player; provider",
    "shopping_category": "shopping category; category; spending category; kind of purchase; spent on",
    "sort": "sort; ranking; order; sort order; superlative; quality",
    "spatial_relation": "spatial relation; distance; how far; proximity; nearness; relative position",
    "state": "state; us state; province; state or region; region",
    "time": "time; time of day; clock time; at what time; hour; booking time; reservation time",
    "time_from": "time from; start time; from time; begins at; earliest time; opens",
    "time_period": "time period; duration; part of the day; how long; period of time",
    "time_to": "time to; end time; until time; ends at; latest time; closes",
    "timeRange": "time range; when; time; point in time; date or time; period; moment",
    "track": "track; song; track name; song title; tune; track title",
    "year": "year; era; decade; release year; from which year; year or decade",
}
"""Names of each field, the source's own words first; separated by semicolons."""

NOTES: dict[str, str] = {
    "adults": "how many adults will come; the adult guests",
    "album": "album to be played",
    "amount_of_money": "sum of money as written, with currency; how much money the text is about",
    "artist": "who made or plays the music; singer, band or composer",
    "best_rating": "the highest rating that can be given; the scale, as in 3 out of 6",
    "city": "city or town that is named",
    "company_name": "company, shop or brand that is named",
    "condition_description": "rain, snow, sun or other weather that is asked about",
    "condition_temperature": "a word for warmth, as cold or hot",
    "country": "country that is named",
    "cuisine": "style of cooking, as thai or french",
    "current_location": "words by which the speaker means the place where he is",
    "date": "the day, in the words of the text; date as written",
    "date_from": "first day or day of arrival, as written",
    "date_period": "a stretch of days, weeks or months, as written",
    "date_to": "last day or day of departure, as written",
    "entity_name": "title of the song or album to be added",
    "facility": "what the place offers, as parking or wifi",
    "first_name": "given name of the guest",
    "genre": "style of music",
    "geographic_poi": "park, forest or other landmark",
    "kids": "how many children will come; the child guests",
    "last_name": "family name of the guest",
    "location_name": "name of the cinema or chain",
    "movie_name": "title of the film",
    "movie_type": "the word for the kind of film",
    "music_item": "song, track, album or the like",
    "number": "a count that is named",
    "object_location_type": "the word for the kind of place, as cinema",
    "object_name": "title of the book, film, song or game",
    "object_part_of_series_type": "series, saga or chronicle",
    "object_select": "word that points to the item, as this or next",
    "object_type": "what kind of thing it is, as book, movie schedule or song",
    "party_size_description": "the people who come, in the words of the text",
    "party_size_number": "how many people the table is for",
    "people": "how many people come; size of the party as written",
    "person_name": "name of a person as written",
    "playlist": "name of the playlist, without the word playlist",
    "playlist_owner": "whose playlist it is, as my or anna's",
    "poi": "place or spot that the restaurant should be close to",
    "rating_unit": "stars or points",
    "rating_value": "the rating that is given",
    "restaurant_name": "name of the restaurant",
    "restaurant_type": "the word for the kind of place, as pub or diner",
    "rooms": "how many rooms; rooms that are booked",
    "served_dish": "dish that should be on the menu",
    "service": "app or service that plays the music",
    "shopping_category": "what the money was spent on",
    "sort": "best, newest, top 5 or the like",
    "spatial_relation": "near, far, close by or the like",
    "state": "state of the USA, or its abbreviation",
    "time": "time of day as written",
    "time_from": "from what time on, as written",
    "time_period": "stretch of hours or part of the day, as written",
    "time_to": "until what time, as written",
    "timeRange": "when, in the words of the text; date or time as written",
    "track": "title of the piece to be played",
    "year": "year or decade of the music",
}
"""Descriptions of each field, separated by semicolons."""

NUMBERS = frozenset({"adults", "best_rating", "kids", "number", "party_size_number", "people", "rating_value", "rooms"})
"""Fields that may be asked for as integers, where the words of the text are one plain number."""

CLOSED = frozenset(
    {
        "condition_description",
        "condition_temperature",
        "facility",
        "movie_type",
        "music_item",
        "object_location_type",
        "object_part_of_series_type",
        "object_select",
        "object_type",
        "rating_unit",
        "restaurant_type",
        "service",
    }
)
"""Fields with few values, which may be asked for as an enum of the words themselves."""

INTENTS: dict[str, str] = {
    "AddToPlaylist": "AddToPlaylist; add to playlist; playlist addition; extend playlist; save song",
    "BookRestaurant": "BookRestaurant; book restaurant; restaurant reservation; table booking; reserve table",
    "GetWeather": "GetWeather; get weather; weather forecast; weather question; weather",
    "PlayMusic": "PlayMusic; play music; music playback; listen; start music",
    "RateBook": "RateBook; rate book; book rating; review; give rating",
    "SearchCreativeWork": "SearchCreativeWork; search creative work; find work; media search; look up title",
    "SearchScreeningEvent": "SearchScreeningEvent; search screening event; movie times; cinema programme; screening",
    "RestaurantBooking": "RestaurantBooking; restaurant booking; table reservation; reserve table; dinner booking",
    "banking": "banking; bank question; bank request; money; account question",
    "hotels": "hotels; hotel request; hotel; hotel booking; accommodation",
}
"""Words for what an utterance wants, by its kind, separated by semicolons."""

INTENT_NAMES = "intent; kind; request type; action; category; purpose; topic; what is wanted; task"
LIST_NAMES = "requests; items; utterances; messages; entries; records; orders; list; results"


def choices(listed: str) -> list[str]:
    """The parts of a list written with semicolons."""
    return [part.strip() for part in listed.split(";")]
