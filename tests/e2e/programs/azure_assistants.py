"""What the Azure reference shows of assistants: create, list, retrieve, modify, delete.

Key and endpoint come from AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT.
"""

from openai import AzureOpenAI

client = AzureOpenAI(api_version="2024-08-01-preview")

assistant = client.beta.assistants.create(
    name="Math Assist",
    instructions="Write and run code to answer math questions.",
    tools=[{"type": "code_interpreter"}],
    model="my-deployment",
)
print(assistant.model)

mine = client.beta.assistants.list(order="desc", limit="20")  # type: ignore[arg-type]  # as the reference has it
print(mine.data[0].name)
print(client.beta.assistants.retrieve(assistant.id).instructions)

updated = client.beta.assistants.update(
    assistant.id, name="HR Helper", tools=[{"type": "file_search"}], model="my-deployment"
)
print(updated.name, updated.tools[0].type)
print(client.beta.assistants.delete(assistant.id).deleted)
