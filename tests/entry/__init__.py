"""The console command: settings, exit codes and last words."""
