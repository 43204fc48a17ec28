// A change has one request_id for as long as its content is the same and it has not succeeded: *Try again* then can't do it twice, and
// the server never sees one id with two contents.

export class RequestIds {
    private content = "";
    private id = "";

    constructor(private readonly make: () => string = newRequestId) {}

    idFor(request: object): string {
        const content = JSON.stringify(request);
        if (content !== this.content || this.id === "") {
            this.content = content;
            this.id = this.make();
        }
        return this.id;
    }

    /** The change is made: the same content would be another one. */
    done(): void {
        this.id = "";
    }
}

export function newRequestId(): string {
    return crypto.randomUUID();
}
