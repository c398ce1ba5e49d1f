from mainsheet.models import tables as tables
