"""The sample company of the demo: invented customers with stories, written as the CSV files a real team would have."""
