"""How people read and type: language, numbers, money, dates and names."""
