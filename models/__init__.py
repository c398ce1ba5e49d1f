from models import tables as tables
